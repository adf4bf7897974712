-- The floor of a decision pass: what a careful engineer would write by hand for the shipped playbook and one night.
--
-- It reads the rows that the phases read and writes the rows that they write: sums, scores, stages, segments,
-- hand-overs, enrolments, messages. Its results are compared with those of the phases, row by row, after each run.
-- What it leaves out: reasons (decision, verdict, what a message was chosen from), checks (types of JSON values, leads
-- that a later sweep has seen, acts that a rejection has spent, steps that no file knows, caps on what a rerun may do),
-- and who gets a hand-over (all go to the manager).
--
-- One text for both databases; on SQLite, GREATEST and LEAST are called MAX and MIN, and ANALYZE is left out.
-- Parameters: now, an instant in microseconds; today and in_45, in_60, in_120, in_365 days, as ISO dates.

-- 1. Fold the new events into the sums. Marked, so that they are read by key: few they are, which no planner knows.
UPDATE event_inbox SET batch = :now WHERE batch IS NULL AND occurred_at < :now AND received_at < :now;

WITH paid (rule, half_life, kind, points, first, after) AS (
    VALUES ('any-page', 336, 'page_viewed', 1, NULL, NULL),
        ('social', 336, 'social_engaged', 3, NULL, NULL),
        ('newsletter', 1440, 'newsletter_joined', 6, NULL, NULL),
        ('white-paper', 1080, 'content_downloaded', 10, NULL, NULL),
        ('webinar', 720, 'webinar_attended', 15, NULL, NULL),
        ('mail-click', 504, 'email_clicked', 4, NULL, NULL),
        ('reply', 720, 'email_replied', 15, NULL, NULL),
        ('prices-page', 336, 'page_viewed', 10, '/tarifs', '/tarift'),
        ('prices-page', 336, 'page_viewed', 10, '/en/pricing', '/en/pricinh'),
        ('case-studies', 336, 'page_viewed', 5, '/realisations', '/realisationt'),
        ('case-studies', 336, 'page_viewed', 5, '/en/work', '/en/worl'),
        ('raised-a-hand', 2160, 'quote_requested', 40, NULL, NULL),
        ('raised-a-hand', 2160, 'demo_requested', 40, NULL, NULL),
        ('raised-a-hand', 2160, 'meeting_booked', 40, NULL, NULL)
),
acts AS MATERIALIZED (
    SELECT e.lead_id, e.kind, e.path, e.weight, e.occurred_at / 3600000000 AS hour
    FROM event_inbox AS i
    JOIN event AS e ON e.id = i.event_id AND e.month = i.month
    WHERE i.batch = :now AND e.weight > 0
),
earned AS MATERIALIZED (
    SELECT e.lead_id, r.id AS rule, p.half_life, e.hour, p.points * e.weight AS points
    FROM acts AS e
    JOIN paid AS p ON p.kind = e.kind AND (p.first IS NULL OR (e.path >= p.first AND e.path < p.after))
    JOIN scoring_rule AS r ON r.name = p.rule
)
INSERT INTO engagement (lead_id, rule, total)
SELECT e.lead_id, e.rule, CAST(SUM(e.points * g.g) AS BIGINT)
FROM earned AS e
JOIN growth AS g ON g.half_life = e.half_life AND g.hour = e.hour
WHERE e.lead_id IS NOT NULL
GROUP BY e.lead_id, e.rule
ORDER BY e.lead_id, e.rule
ON CONFLICT (lead_id, rule) DO UPDATE SET total = engagement.total + excluded.total;

DELETE FROM event_inbox WHERE batch = :now;

-- 2. One look at the events that any rule counts tonight.
CREATE TEMPORARY TABLE floor_acts AS
SELECT
    lead_id,
    SUM(CASE WHEN kind = 'page_viewed' AND path >= '/recrutement' AND path < '/recrutemenu' AND occurred_at >= :now - 2592000000000 THEN 1 ELSE 0 END) AS jobs,
    SUM(CASE WHEN kind = 'page_viewed' AND occurred_at >= :now - 2592000000000 AND ((path >= '/realisations' AND path < '/realisationt') OR (path >= '/tarifs' AND path < '/tarift') OR (path >= '/en/work' AND path < '/en/worl') OR (path >= '/en/pricing' AND path < '/en/pricinh')) THEN 1 ELSE 0 END) AS proofs,
    SUM(CASE WHEN kind = 'webinar_attended' AND occurred_at >= :now - 2592000000000 THEN 1 ELSE 0 END) AS webinars,
    SUM(CASE WHEN kind = 'page_viewed' AND ((path >= '/e-commerce' AND path < '/e-commercf') OR (path >= '/en/e-commerce' AND path < '/en/e-commercf')) AND occurred_at >= :now - 5184000000000 THEN 1 ELSE 0 END) AS shops,
    SUM(CASE WHEN kind IN ('quote_requested', 'demo_requested', 'meeting_booked') THEN 1 ELSE 0 END) AS hands,
    SUM(CASE WHEN kind IN ('quote_requested', 'demo_requested', 'meeting_booked') AND occurred_at >= :now - 86400000000 AND received_at - occurred_at <= 86400000000 THEN 1 ELSE 0 END) AS hands_now,
    SUM(CASE WHEN kind = 'page_viewed' AND occurred_at >= :now - 604800000000 AND received_at - occurred_at <= 86400000000 AND ((path >= '/tarifs' AND path < '/tarift') OR (path >= '/en/pricing' AND path < '/en/pricinh')) THEN 1 ELSE 0 END) AS prices,
    MAX(CASE WHEN kind <> 'email_clicked' AND received_at - occurred_at <= 86400000000 THEN occurred_at END) AS last_at,
    LEAST(1000, SUM(CASE WHEN kind = 'page_viewed' AND occurred_at >= :now - 604800000000 THEN weight ELSE 0 END))
    + LEAST(900, SUM(CASE WHEN kind = 'social_engaged' AND occurred_at >= :now - 604800000000 THEN 3 * weight ELSE 0 END))
    + LEAST(600, SUM(CASE WHEN kind = 'newsletter_joined' AND occurred_at >= :now - 604800000000 THEN 6 * weight ELSE 0 END))
    + LEAST(2500, SUM(CASE WHEN kind = 'content_downloaded' AND occurred_at >= :now - 604800000000 THEN 10 * weight ELSE 0 END))
    + SUM(CASE WHEN kind = 'webinar_attended' AND occurred_at >= :now - 604800000000 THEN 15 * weight ELSE 0 END)
    + LEAST(1600, SUM(CASE WHEN kind = 'email_clicked' AND occurred_at >= :now - 604800000000 THEN 4 * weight ELSE 0 END))
    + SUM(CASE WHEN kind = 'email_replied' AND occurred_at >= :now - 604800000000 THEN 15 * weight ELSE 0 END)
    + LEAST(2500, SUM(CASE WHEN kind = 'page_viewed' AND occurred_at >= :now - 604800000000 AND ((path >= '/tarifs' AND path < '/tarift') OR (path >= '/en/pricing' AND path < '/en/pricinh')) THEN 10 * weight ELSE 0 END))
    + LEAST(1500, SUM(CASE WHEN kind = 'page_viewed' AND occurred_at >= :now - 604800000000 AND ((path >= '/realisations' AND path < '/realisationt') OR (path >= '/en/work' AND path < '/en/worl')) THEN 5 * weight ELSE 0 END))
    + SUM(CASE WHEN kind IN ('quote_requested', 'demo_requested', 'meeting_booked') AND occurred_at >= :now - 604800000000 THEN 40 * weight ELSE 0 END) AS velocity
FROM event
WHERE occurred_at >= :now - 7776000000000 AND occurred_at < :now AND received_at < :now AND weight > 0
    AND (
        occurred_at >= :now - 2592000000000
        OR kind IN ('quote_requested', 'demo_requested', 'meeting_booked')
        OR (kind = 'page_viewed' AND occurred_at >= :now - 5184000000000 AND ((path >= '/e-commerce' AND path < '/e-commercf') OR (path >= '/en/e-commerce' AND path < '/en/e-commercf')))
    )
GROUP BY lead_id;

-- 3. The decayed scores.
CREATE TEMPORARY TABLE floor_heat AS
SELECT
    lead_id,
    GREATEST(0, LEAST(10000,
        LEAST(3000, LEAST(1000, pages) + LEAST(900, social))
        + LEAST(4000, LEAST(600, newsletter) + LEAST(2500, papers) + webinars)
        + LEAST(2000, LEAST(1600, clicks) + replies)
        + LEAST(6000, LEAST(2500, prices) + LEAST(1500, cases) + hands)
    )) AS engagement
FROM (
    SELECT
        lead_id,
        COALESCE(MAX(CASE WHEN rule = (SELECT id FROM scoring_rule WHERE name = 'any-page') THEN total END), 0) / g336 AS pages,
        COALESCE(MAX(CASE WHEN rule = (SELECT id FROM scoring_rule WHERE name = 'social') THEN total END), 0) / g336 AS social,
        COALESCE(MAX(CASE WHEN rule = (SELECT id FROM scoring_rule WHERE name = 'newsletter') THEN total END), 0) / g1440 AS newsletter,
        COALESCE(MAX(CASE WHEN rule = (SELECT id FROM scoring_rule WHERE name = 'white-paper') THEN total END), 0) / g1080 AS papers,
        COALESCE(MAX(CASE WHEN rule = (SELECT id FROM scoring_rule WHERE name = 'webinar') THEN total END), 0) / g720 AS webinars,
        COALESCE(MAX(CASE WHEN rule = (SELECT id FROM scoring_rule WHERE name = 'mail-click') THEN total END), 0) / g504 AS clicks,
        COALESCE(MAX(CASE WHEN rule = (SELECT id FROM scoring_rule WHERE name = 'reply') THEN total END), 0) / g720 AS replies,
        COALESCE(MAX(CASE WHEN rule = (SELECT id FROM scoring_rule WHERE name = 'prices-page') THEN total END), 0) / g336 AS prices,
        COALESCE(MAX(CASE WHEN rule = (SELECT id FROM scoring_rule WHERE name = 'case-studies') THEN total END), 0) / g336 AS cases,
        COALESCE(MAX(CASE WHEN rule = (SELECT id FROM scoring_rule WHERE name = 'raised-a-hand') THEN total END), 0) / g2160 AS hands
    FROM engagement
    CROSS JOIN (
        SELECT
            MAX(CASE WHEN half_life = 336 THEN g END) AS g336,
            MAX(CASE WHEN half_life = 504 THEN g END) AS g504,
            MAX(CASE WHEN half_life = 720 THEN g END) AS g720,
            MAX(CASE WHEN half_life = 1080 THEN g END) AS g1080,
            MAX(CASE WHEN half_life = 1440 THEN g END) AS g1440,
            MAX(CASE WHEN half_life = 2160 THEN g END) AS g2160
        FROM growth WHERE hour = :now / 3600000000
    ) AS worth
    GROUP BY lead_id, g336, g504, g720, g1080, g1440, g2160
) AS terms;

-- 4. One scan over the people: fit, and a mask of everything else that is asked of them.
CREATE TEMPORARY TABLE floor_person AS
WITH l AS MATERIALIZED (
    SELECT
        id, account_id, country, language, email_is_free,
        attributes ->> 'role' AS role, attributes ->> 'industry' AS industry, CAST(attributes ->> 'employees' AS NUMERIC) AS employees,
        attributes ->> 'cms' AS cms, attributes ->> 'project' AS project, attributes ->> 'budget' AS budget,
        attributes ->> 'deadline' AS deadline, folded ->> 'job_title#words' AS title
    FROM lead
)
SELECT
    l.id AS lead_id, l.account_id,
    GREATEST(0, LEAST(10000,
        LEAST(4500, CASE WHEN l.country IN ('FR', 'BE', 'CH', 'LU') THEN 1500 ELSE 0 END + CASE WHEN l.employees BETWEEN 10 AND 250 THEN 2000 WHEN l.employees <= 2 THEN -1500 ELSE 0 END + CASE WHEN l.industry IN ('retail', 'manufacturing', 'professional_services') THEN 1500 ELSE 0 END)
        + LEAST(2500, CASE WHEN l.role = 'decides' OR l.title LIKE '% gérant %' OR l.title LIKE '% gérante %' OR l.title LIKE '% dirigeant %' OR l.title LIKE '% ceo %' OR l.title LIKE '% fondatrice %' OR l.title LIKE '% directeur général %' THEN 2500 ELSE 0 END + CASE WHEN l.role = 'recommends' OR l.title LIKE '% marketing %' OR l.title LIKE '% communication %' OR l.title LIKE '% digital %' THEN 1200 ELSE 0 END + CASE WHEN l.email_is_free THEN -1000 ELSE 0 END)
        + LEAST(4000, CASE WHEN l.project IN ('new_site', 'redesign', 'seo', 'strategy') THEN 2000 ELSE 0 END + CASE WHEN l.budget IN ('5k_15k', '15k_40k', 'over_40k') THEN 1500 ELSE 0 END + CASE WHEN l.deadline BETWEEN :today AND :in_120 THEN 1000 ELSE 0 END)
    )) AS fit,
    CASE WHEN l.title LIKE '% étudiant %' OR l.title LIKE '% étudiante %' OR l.title LIKE '% stagiaire %' OR l.title LIKE '% student %' OR a.jobs >= 2 THEN 'student-or-job-seeker' END AS veto,
    COALESCE(h.engagement, 0) AS engagement,
    COALESCE(a.velocity, 0) AS velocity,
    CASE WHEN l.project IN ('new_site', 'redesign', 'seo', 'strategy') THEN 2 ELSE 0 END
    + CASE WHEN l.budget IN ('5k_15k', '15k_40k', 'over_40k') THEN 4 ELSE 0 END
    + CASE WHEN l.deadline BETWEEN :today AND :in_365 THEN 8 ELSE 0 END
    + CASE WHEN l.role IN ('decides', 'recommends') THEN 16 ELSE 0 END AS criteria,
    CASE WHEN a.hands > 0 OR l.deadline BETWEEN :today AND :in_60 THEN 2 WHEN a.webinars > 0 OR l.project IN ('new_site', 'redesign', 'seo', 'strategy') OR (h.engagement >= 3500 AND a.proofs >= 2) THEN 1 ELSE 0 END AS reach,
    CASE WHEN (l.language = 'en' OR l.country IN ('GB', 'IE', 'US', 'NL', 'DE', 'DK', 'SE')) AND COALESCE(l.country, '') NOT IN ('FR', 'BE', 'CH', 'LU') THEN 1 ELSE 0 END
    + CASE WHEN l.industry = 'manufacturing' AND l.employees >= 10 THEN 2 ELSE 0 END
    + CASE WHEN l.industry = 'retail' AND (l.cms IN ('prestashop', 'shopify') OR a.shops >= 2) THEN 4 ELSE 0 END
    + CASE WHEN l.industry = 'professional_services' AND COALESCE(l.employees, 0) <= 250 THEN 8 ELSE 0 END AS segments,
    COALESCE(a.hands, 0) AS hands, COALESCE(a.hands_now, 0) AS hands_now, COALESCE(a.prices, 0) AS prices, a.last_at,
    CASE WHEN l.deadline BETWEEN :today AND :in_45 THEN 1 ELSE 0 END AS soon
FROM l
LEFT JOIN floor_acts AS a ON a.lead_id = l.id
LEFT JOIN floor_heat AS h ON h.lead_id = l.id;

ANALYZE floor_person;

-- 5. Write the scores, the stages and the prospects that changed.
UPDATE lead_score SET fit = p.fit, engagement = p.engagement, velocity = p.velocity, band = p.band, veto = p.veto
FROM (
    SELECT lead_id, fit, engagement, velocity, veto,
        CASE WHEN veto IS NOT NULL THEN 'D' WHEN fit >= 7500 THEN 'A' WHEN fit >= 5000 THEN 'B' WHEN fit >= 2500 THEN 'C' ELSE 'D' END
        || CASE WHEN engagement >= 6000 THEN '1' WHEN engagement >= 3500 THEN '2' WHEN engagement >= 1500 THEN '3' ELSE '4' END AS band
    FROM floor_person
) AS p
WHERE lead_score.lead_id = p.lead_id
    AND (lead_score.fit <> p.fit OR lead_score.engagement <> p.engagement OR lead_score.velocity <> p.velocity OR lead_score.band <> p.band OR COALESCE(lead_score.veto, '') <> COALESCE(p.veto, ''));

CREATE TEMPORARY TABLE floor_state AS
SELECT lead_id, old, new, unmet, criteria,
    CASE WHEN new = old AND keeps = 0 THEN COALESCE(unmet, :now) END AS unmet_since
FROM (
    SELECT lead_id, old, keeps, unmet, criteria,
        CASE WHEN reach > old THEN reach WHEN keeps = 1 THEN old WHEN :now - COALESCE(unmet, :now) >= CASE old WHEN 2 THEN 5184000000000 ELSE 2592000000000 END THEN reach ELSE old END AS new
    FROM (
        SELECT p.lead_id, p.reach, s.unmet_since AS unmet, p.criteria + CASE WHEN p.fit >= 5000 THEN 1 ELSE 0 END AS criteria,
            CASE s.stage WHEN 'decision' THEN 2 WHEN 'evaluation' THEN 1 ELSE 0 END AS old,
            CASE s.stage WHEN 'decision' THEN CASE WHEN p.reach = 2 THEN 1 ELSE 0 END WHEN 'evaluation' THEN CASE WHEN p.reach >= 1 OR p.engagement >= 2000 THEN 1 ELSE 0 END ELSE 1 END AS keeps
        FROM floor_person AS p JOIN lead_state AS s ON s.lead_id = p.lead_id
    ) AS placed
) AS moved;

UPDATE lead_state SET
    criteria = n.criteria,
    qualification = n.criteria % 2 + n.criteria / 2 % 2 + n.criteria / 4 % 2 + n.criteria / 8 % 2 + n.criteria / 16 % 2,
    stage = CASE n.new WHEN 2 THEN 'decision' WHEN 1 THEN 'evaluation' ELSE 'discovery' END,
    stage_since = CASE WHEN n.new <> n.old THEN :now ELSE lead_state.stage_since END,
    stage_before = CASE WHEN n.new <> n.old THEN lead_state.stage ELSE lead_state.stage_before END,
    unmet_since = n.unmet_since
FROM floor_state AS n
WHERE lead_state.lead_id = n.lead_id
    AND (n.new <> n.old OR lead_state.criteria <> n.criteria OR COALESCE(n.unmet, 0) <> COALESCE(n.unmet_since, 0));

INSERT INTO stage_change (lead_id, at, "before", "after", playbook)
SELECT lead_id, :now, CASE old WHEN 2 THEN 'decision' WHEN 1 THEN 'evaluation' ELSE 'discovery' END, CASE new WHEN 2 THEN 'decision' WHEN 1 THEN 'evaluation' ELSE 'discovery' END, 'floor'
FROM floor_state WHERE new <> old;

UPDATE lead_state SET lifecycle = 'prospect', lifecycle_since = :now
FROM floor_person AS p
WHERE p.lead_id = lead_state.lead_id AND lead_state.lifecycle = 'lead' AND p.hands > 0
    AND lead_state.qualification >= 3 AND lead_state.criteria % 2 = 1;

INSERT INTO lifecycle_change (lead_id, "before", "after", cause, effective_at, recorded_at)
SELECT lead_id, 'lead', 'prospect', 'sweep', :now, :now FROM lead_state WHERE lifecycle = 'prospect' AND lifecycle_since = :now;

-- 6. Segments: the mask against the open intervals.
CREATE TEMPORARY TABLE floor_changed AS
SELECT p.lead_id, p.segments,
    CASE WHEN p.segments % 2 = 1 THEN 'foreign-brands' WHEN p.segments / 4 % 2 = 1 THEN 'online-shops' WHEN p.segments / 2 % 2 = 1 THEN 'manufacturers' WHEN p.segments / 8 % 2 = 1 THEN 'professional-firms' END AS main
FROM floor_person AS p
LEFT JOIN (
    SELECT lead_id, SUM(CASE segment WHEN 'foreign-brands' THEN 1 WHEN 'manufacturers' THEN 2 WHEN 'online-shops' THEN 4 ELSE 8 END) AS segments
    FROM membership WHERE left_at IS NULL GROUP BY lead_id
) AS m ON m.lead_id = p.lead_id
WHERE p.segments <> COALESCE(m.segments, 0);

UPDATE membership SET left_at = :now
FROM floor_changed AS c
WHERE c.lead_id = membership.lead_id AND membership.left_at IS NULL
    AND c.segments / CASE membership.segment WHEN 'foreign-brands' THEN 1 WHEN 'manufacturers' THEN 2 WHEN 'online-shops' THEN 4 ELSE 8 END % 2 = 0;

INSERT INTO membership (segment, lead_id, joined_at)
SELECT s.segment, c.lead_id, :now
FROM floor_changed AS c
JOIN (SELECT 'foreign-brands' AS segment, 1 AS bit UNION ALL SELECT 'manufacturers', 2 UNION ALL SELECT 'online-shops', 4 UNION ALL SELECT 'professional-firms', 8) AS s ON c.segments / s.bit % 2 = 1
WHERE NOT EXISTS (SELECT 1 FROM membership AS m WHERE m.lead_id = c.lead_id AND m.segment = s.segment AND m.left_at IS NULL);

UPDATE lead_state SET segment_main = c.main FROM floor_changed AS c WHERE c.lead_id = lead_state.lead_id;

-- 7. Hot: who crossed a rule, and one hand-over a lead and company.
CREATE TEMPORARY TABLE floor_hot AS
SELECT h.lead_id, h.account_id, h.held, h.was, s.fit, s.engagement, s.band
FROM (
    SELECT p.lead_id, p.account_id, t.hot AS was,
        CASE WHEN p.hands_now > 0 THEN 1 ELSE 0 END
        + CASE WHEN p.prices >= 2 AND p.velocity >= 1500 AND p.last_at >= :now - 604800000000 AND (p.fit >= 7500 OR (p.fit >= 5000 AND p.engagement >= 6000)) AND p.engagement >= 3500 AND p.veto IS NULL THEN 2 ELSE 0 END
        + CASE WHEN p.soon = 1 AND p.fit >= 5000 AND p.last_at >= :now - 2592000000000 THEN 4 ELSE 0 END AS held
    FROM floor_person AS p JOIN lead_state AS t ON t.lead_id = p.lead_id
) AS h
JOIN lead_score AS s ON s.lead_id = h.lead_id
WHERE h.held <> h.was OR h.held % 2 = 1;

UPDATE lead_state SET hot = h.held FROM floor_hot AS h WHERE h.lead_id = lead_state.lead_id AND lead_state.hot <> h.held;

UPDATE escalation SET raised_at = :now, alerted_at = NULL, due_at = LEAST(due_at, :now + 20700000000)
WHERE closed_at IS NULL AND lead_id IN (
    SELECT h.lead_id FROM floor_hot AS h WHERE h.held % 2 = 1 AND (h.was % 2 = 0 OR EXISTS (
        SELECT 1 FROM event AS e WHERE e.lead_id = h.lead_id AND e.kind IN ('quote_requested', 'demo_requested', 'meeting_booked') AND e.occurred_at >= :now - 86400000000 AND e.occurred_at < :now
            AND e.received_at >= (SELECT MAX(GREATEST(x.opened_at, COALESCE(x.raised_at, 0))) FROM escalation AS x WHERE x.lead_id = h.lead_id)
    ))
);

INSERT INTO escalation (lead_id, account_id, number, rule, rep, route, band, opened_at, due_at, playbook)
SELECT lead_id, account_id, 1 + (SELECT COUNT(*) FROM escalation AS x WHERE x.lead_id = ranked.lead_id), rule, 'Hélène', 'nobody-free', band, :now, :now + CASE rule WHEN 'hand-raise' THEN 20700000000 WHEN 'hot-profile' THEN 31500000000 ELSE 45900000000 END, 'floor'
FROM (
    SELECT asking.*, ROW_NUMBER() OVER (PARTITION BY COALESCE(account_id, -lead_id) ORDER BY CASE rule WHEN 'hand-raise' THEN 0 ELSE 1 END, engagement DESC, fit DESC, lead_id) AS place
    FROM (
        SELECT h.lead_id, h.account_id, h.fit, h.engagement, h.band,
            CASE WHEN h.held % 2 = 1 AND h.was % 2 = 0 THEN 'hand-raise'
                WHEN h.account_id IN (SELECT x.account_id FROM escalation AS x WHERE x.opened_at > :now - 604800000000 AND x.account_id IS NOT NULL)
                    OR h.lead_id IN (SELECT x.lead_id FROM escalation AS x WHERE x.opened_at > :now - 5184000000000) THEN NULL
                WHEN h.held / 2 % 2 = 1 AND h.was / 2 % 2 = 0 THEN 'hot-profile'
                WHEN h.held / 4 % 2 = 1 AND h.was / 4 % 2 = 0 THEN 'deadline-near' END AS rule
        FROM floor_hot AS h
        JOIN lead AS l ON l.id = h.lead_id
        JOIN lead_state AS s ON s.lead_id = h.lead_id
        WHERE s.lifecycle NOT IN ('customer', 'disqualified') AND COALESCE(l.deal_state, '') <> 'open'
            AND h.lead_id NOT IN (SELECT x.lead_id FROM escalation AS x WHERE x.closed_at IS NULL)
            AND COALESCE(l.email_domain, '') NOT IN ('atelier-nord.example', 'agence-du-beffroi.example', 'grand-place-digital.example', 'pixel-et-houblon.example', 'studio-rive-droite.example')
    ) AS asking
    WHERE rule IS NOT NULL
) AS ranked
WHERE rule = 'hand-raise' OR place = 1;

INSERT INTO assignment (escalation_id, at, rep, route) SELECT id, :now, rep, route FROM escalation WHERE opened_at = :now;

UPDATE lead_state SET with_sales = TRUE WHERE NOT with_sales AND lead_id IN (SELECT lead_id FROM escalation WHERE closed_at IS NULL);

-- 8. Sequences: who leaves, who is handed on, who enters, who pauses.
CREATE TEMPORARY TABLE floor_step AS
SELECT * FROM (
    SELECT 'decision' AS sequence, 90 AS priority, 'offer' AS step, 'email' AS kind, NULL AS template, 4 AS best, 0 AS days, 'wait-1' AS next
    UNION ALL SELECT 'decision', 90, 'wait-1', 'wait', NULL, 0, 3, 'doubt'
    UNION ALL SELECT 'decision', 90, 'doubt', 'email', NULL, 4, 0, 'wait-doubt'
    UNION ALL SELECT 'decision', 90, 'wait-doubt', 'wait', NULL, 0, 3, 'meeting'
    UNION ALL SELECT 'decision', 90, 'meeting', 'email', 'book-thirty-minutes', 0, 0, 'wait-2'
    UNION ALL SELECT 'decision', 90, 'wait-2', 'wait', NULL, 0, 3, 'human'
    UNION ALL SELECT 'decision', 90, 'human', 'escalate', NULL, 0, 0, NULL
    UNION ALL SELECT 'discovery', 30, 'welcome', 'email', 'welcome', 0, 0, 'wait-1'
    UNION ALL SELECT 'discovery', 30, 'wait-1', 'wait', NULL, 0, 3, 'learn-1'
    UNION ALL SELECT 'discovery', 30, 'learn-1', 'email', NULL, 1, 0, 'wait-2'
    UNION ALL SELECT 'discovery', 30, 'wait-2', 'wait', NULL, 0, 4, 'learn-2'
    UNION ALL SELECT 'discovery', 30, 'learn-2', 'email', NULL, 1, 0, 'wait-3'
    UNION ALL SELECT 'discovery', 30, 'wait-3', 'wait', NULL, 0, 5, 'woke-up'
    UNION ALL SELECT 'discovery', 30, 'learn-3', 'email', NULL, 1, 0, NULL
    UNION ALL SELECT 'discovery', 30, 'settings', 'email', 'your-preferences', 0, 0, NULL
    UNION ALL SELECT 'discovery', 30, 'last-word', 'email', 'still-useful', 0, 0, NULL
    UNION ALL SELECT 'evaluation', 60, 'proof-1', 'email', NULL, 2, 0, 'wait-1'
    UNION ALL SELECT 'evaluation', 60, 'wait-1', 'wait', NULL, 0, 4, 'ask'
    UNION ALL SELECT 'evaluation', 60, 'ask', 'email', 'tell-us-about-your-project', 0, 0, 'wait-2'
    UNION ALL SELECT 'evaluation', 60, 'wait-2', 'wait', NULL, 0, 4, 'proof-2'
    UNION ALL SELECT 'evaluation', 60, 'proof-2', 'email', NULL, 2, 0, 'wait-3'
    UNION ALL SELECT 'evaluation', 60, 'wait-3', 'wait', NULL, 0, 4, 'guarantees'
    UNION ALL SELECT 'evaluation', 60, 'guarantees', 'email', 'our-guarantees', 0, 0, NULL
) AS steps;

WITH sent AS MATERIALIZED (
    SELECT e.id, e.lead_id, e.sequence, e.step, m.sent_at
    FROM enrolment AS e
    JOIN message AS m ON m.enrolment_id = e.id AND m.step = e.step
    WHERE e.state = 'active' AND e.due_at <= :now AND m.state IN ('accepted', 'unknown') AND m.sent_at < :now
)
UPDATE enrolment SET
    position = enrolment.step, step = t.next, completed_at = m.sent_at,
    state = CASE WHEN t.next IS NULL THEN 'ended' ELSE enrolment.state END,
    ended_at = CASE WHEN t.next IS NULL THEN :now END,
    end_reason = CASE WHEN t.next IS NULL THEN 'finished' END,
    due_at = (SELECT d.starts_at FROM business_day AS d WHERE d.calendar_id = c.id AND d.n = w.days + (SELECT b.n FROM business_day AS b WHERE b.calendar_id = c.id AND b.starts_at <= m.sent_at ORDER BY b.starts_at DESC LIMIT 1))
FROM sent AS m
JOIN floor_step AS t ON t.sequence = m.sequence AND t.step = m.step
LEFT JOIN floor_step AS w ON w.sequence = t.sequence AND w.step = t.next
JOIN lead AS l ON l.id = m.lead_id
JOIN calendar AS c ON c.zone = COALESCE(l.zone, '') AND c.country = COALESCE(l.country, '')
WHERE m.id = enrolment.id;

UPDATE enrolment SET state = 'ended', ended_at = :now, end_reason = CASE
    WHEN s.lifecycle = 'customer' THEN 'customer' WHEN s.lifecycle = 'disqualified' THEN 'disqualified'
    WHEN enrolment.sequence = 'decision' AND s.with_sales THEN 'exited' ELSE 'goal' END
FROM lead_state AS s
WHERE s.lead_id = enrolment.lead_id AND enrolment.ended_at IS NULL AND (
    s.lifecycle IN ('customer', 'disqualified')
    OR (enrolment.sequence = 'decision' AND (s.with_sales OR enrolment.lead_id IN (SELECT lead_id FROM event WHERE kind = 'meeting_booked' AND occurred_at < :now AND received_at < :now AND weight > 0)))
    OR (enrolment.sequence = 'evaluation' AND s.lifecycle = 'prospect')
    OR (enrolment.sequence = 'discovery' AND s.stage <> 'discovery')
);

CREATE TEMPORARY TABLE floor_entry AS
SELECT s.lead_id, s.stage AS sequence, e.id AS enrolment_id, COALESCE(e.entry, 0) + 1 AS entry, e.end_reason
FROM (
    SELECT s.lead_id, s.stage
    FROM lead_state AS s
    LEFT JOIN enrolment AS live ON live.lead_id = s.lead_id AND live.sequence = s.stage AND live.ended_at IS NULL
    WHERE live.id IS NULL AND NOT s.with_sales
        AND CASE s.stage WHEN 'decision' THEN s.lifecycle NOT IN ('customer', 'disqualified') AND s.lead_id NOT IN (SELECT lead_id FROM event WHERE kind = 'meeting_booked' AND occurred_at < :now AND received_at < :now AND weight > 0) ELSE s.lifecycle = 'lead' END
) AS s
LEFT JOIN enrolment AS e ON e.lead_id = s.lead_id AND e.sequence = s.stage
    AND e.entry = (SELECT MAX(o.entry) FROM enrolment AS o WHERE o.lead_id = s.lead_id AND o.sequence = s.stage)
WHERE e.end_reason = 'handed_on'
    OR (e.id IS NULL AND NOT EXISTS (SELECT 1 FROM sequence_existing AS q WHERE q.sequence = s.stage AND q.lead_id = s.lead_id))
    OR (s.stage = 'evaluation' AND e.entry < 2 AND e.ended_at <= :now - 10368000000000)
    OR (s.stage = 'discovery' AND e.entry < 2 AND e.ended_at <= :now - 15552000000000);

UPDATE enrolment SET state = 'ended', ended_at = :now, end_reason = 'handed_on'
FROM floor_entry AS n
WHERE n.lead_id = enrolment.lead_id AND n.sequence <> enrolment.sequence
    AND (enrolment.ended_at IS NULL OR (enrolment.ended_at = :now AND enrolment.end_reason = 'goal'));

UPDATE enrolment SET
    state = 'active', completed_at = completed_at + :now - COALESCE(paused_at, ended_at), due_at = due_at + :now - COALESCE(paused_at, ended_at),
    ended_at = NULL, end_reason = NULL, paused_at = NULL, pause_reason = NULL
FROM floor_entry AS n WHERE n.enrolment_id = enrolment.id AND n.end_reason = 'handed_on';

INSERT INTO enrolment (lead_id, sequence, track, entry, state, entered_at, completed_at, due_at, step)
SELECT lead_id, sequence, 'nurture', entry, 'active', :now, :now, :now, CASE sequence WHEN 'decision' THEN 'offer' WHEN 'evaluation' THEN 'proof-1' ELSE 'welcome' END
FROM floor_entry WHERE COALESCE(end_reason, '') <> 'handed_on' ORDER BY lead_id;

UPDATE enrolment SET state = 'paused', paused_at = :now, pause_reason = CASE WHEN s.with_sales THEN 'with_sales' ELSE 'paused' END
FROM lead_state AS s
WHERE s.lead_id = enrolment.lead_id AND enrolment.state = 'active' AND (
    s.with_sales OR s.stage <> enrolment.sequence OR (enrolment.sequence <> 'decision' AND s.lifecycle <> 'lead')
);

UPDATE message SET state = 'suppressed', reason = CASE WHEN e.ended_at IS NOT NULL THEN 'exited' ELSE e.pause_reason END
FROM enrolment AS e
WHERE e.id = message.enrolment_id AND message.state IN ('planned', 'claimed') AND e.state <> 'active';

-- 9. Waits that are over, and the one branch behind a wait.
UPDATE enrolment SET
    position = enrolment.step, step = t.next, completed_at = enrolment.due_at, due_at = CASE WHEN n.kind = 'escalate' THEN :now + 1 ELSE :now END
FROM floor_step AS t
LEFT JOIN floor_step AS n ON n.sequence = t.sequence AND n.step = t.next
WHERE t.sequence = enrolment.sequence AND t.step = enrolment.step AND t.kind = 'wait' AND enrolment.state = 'active' AND enrolment.due_at <= :now;

UPDATE enrolment SET
    position = 'woke-up', completed_at = due_at, due_at = :now,
    step = CASE WHEN EXISTS (SELECT 1 FROM event AS a WHERE a.lead_id = enrolment.lead_id AND a.kind IN ('email_clicked', 'content_downloaded') AND a.occurred_at >= :now - 2592000000000 AND a.occurred_at < :now AND a.received_at < :now AND a.weight > 0) THEN 'learn-3'
        WHEN EXISTS (SELECT 1 FROM event AS a WHERE a.lead_id = enrolment.lead_id AND a.kind = 'newsletter_joined' AND a.occurred_at < :now AND a.received_at < :now AND a.weight > 0) THEN 'settings' ELSE 'last-word' END
WHERE sequence = 'discovery' AND step = 'woke-up' AND state = 'active' AND due_at <= :now;

-- 10. Whoever is due a mail and may have one.
CREATE TEMPORARY TABLE floor_due AS
SELECT
    e.id AS enrolment_id, e.lead_id, l.address_id, e.sequence, e.step, t.priority, e.due_at, t.template, t.best, c.id AS calendar_id, l.seed, l.basis,
    COALESCE(l.language, '') AS reads, s.segment_main,
    CASE s.stage WHEN 'decision' THEN 4 WHEN 'evaluation' THEN 2 ELSE 1 END AS stages,
    CASE SUBSTR(b.band, 1, 1) WHEN 'A' THEN 1 WHEN 'B' THEN 2 WHEN 'C' THEN 4 ELSE 8 END AS fits,
    CASE SUBSTR(b.band, 2, 1) WHEN '1' THEN 1 WHEN '2' THEN 2 WHEN '3' THEN 4 ELSE 8 END AS engagements,
    CASE WHEN a.name <> '' THEN 1 ELSE 0 END + CASE WHEN l.attributes ->> 'cms' <> '' THEN 2 ELSE 0 END AS has
FROM enrolment AS e
JOIN floor_step AS t ON t.sequence = e.sequence AND t.step = e.step AND t.kind = 'email'
JOIN lead AS l ON l.id = e.lead_id
JOIN identity AS i ON i.id = l.address_id
JOIN lead_state AS s ON s.lead_id = e.lead_id
JOIN lead_score AS b ON b.lead_id = e.lead_id
JOIN calendar AS c ON c.zone = COALESCE(l.zone, '') AND c.country = COALESCE(l.country, '')
LEFT JOIN account AS a ON a.id = l.account_id
WHERE e.state = 'active' AND e.due_at <= :now
    AND NOT l.no_mail AND l.source <> '' AND l.informed_on <= :today AND l.basis IN ('consent', 'legitimate_interest', 'customer') AND (l.audience <> 'b2c' OR l.basis = 'consent')
    AND COALESCE(l.deal_state, '') <> 'open' AND s.lifecycle NOT IN ('customer', 'disqualified') AND NOT s.with_sales
    AND l.email_domain NOT IN ('atelier-nord.example', 'agence-du-beffroi.example', 'grand-place-digital.example', 'pixel-et-houblon.example', 'studio-rive-droite.example')
    AND i.hash NOT IN (SELECT address_hash FROM suppression)
    AND NOT EXISTS (SELECT 1 FROM message AS m WHERE m.enrolment_id = e.id AND m.step = e.step AND NOT (m.state = 'suppressed' AND m.reason IN ('paused', 'with_sales', 'parked', 'exited')))
    AND NOT EXISTS (SELECT 1 FROM message AS m WHERE m.address_id = l.address_id AND m.counted AND m.state IN ('planned', 'claimed', 'sending'));

ANALYZE floor_due;

-- 11. The best email for each.
CREATE TEMPORARY TABLE floor_choice AS
SELECT enrolment_id, template, lang, purpose, counted, version, expires_in, expires_days
FROM (
    SELECT d.enrolment_id, t.template, g.lang, t.purpose, t.counted, t.version, t.expires_in, t.expires_days,
        ROW_NUMBER() OVER (PARTITION BY d.enrolment_id ORDER BY t.rank DESC, CASE WHEN EXISTS (SELECT 1 FROM tpl_segment AS s WHERE s.template = t.template AND s.segment = d.segment_main) THEN 1 ELSE 0 END DESC, t.specificity DESC, t.template) AS place
    FROM floor_due AS d
    JOIN tpl AS t ON (d.template IS NULL AND t.pickable AND (t.stages & d.best) <> 0 AND (t.stages & d.stages) <> 0 AND (t.fits & d.fits) <> 0 AND (t.engagements & d.engagements) <> 0) OR t.template = d.template
    JOIN tpl_lang AS g ON g.template = t.template AND g.for_lang = d.reads
    WHERE (g.needs & d.has) = g.needs
        AND (d.template IS NOT NULL OR NOT t.has_segments OR EXISTS (SELECT 1 FROM tpl_segment AS s JOIN membership AS m ON m.segment = s.segment AND m.lead_id = d.lead_id AND m.left_at IS NULL WHERE s.template = t.template))
        AND NOT EXISTS (SELECT 1 FROM message AS m WHERE m.lead_id = d.lead_id AND m.email = t.template AND m.state IN ('planned', 'claimed', 'sending', 'accepted', 'unknown') AND COALESCE(m.sent_at, m.planned_at) > :now - t.again_after)
) AS ranked
WHERE place = 1;

-- Nobody left to choose from: on to what follows.
UPDATE enrolment SET
    position = enrolment.step, step = t.next, completed_at = :now,
    state = CASE WHEN t.next IS NULL THEN 'ended' ELSE 'active' END, ended_at = CASE WHEN t.next IS NULL THEN :now END, end_reason = CASE WHEN t.next IS NULL THEN 'finished' END,
    due_at = (SELECT b.starts_at FROM business_day AS b WHERE b.calendar_id = d.calendar_id AND b.n = w.days + (SELECT x.n FROM business_day AS x WHERE x.calendar_id = d.calendar_id AND x.starts_at <= :now ORDER BY x.starts_at DESC LIMIT 1))
FROM floor_due AS d
JOIN floor_step AS t ON t.sequence = d.sequence AND t.step = d.step
LEFT JOIN floor_step AS w ON w.sequence = t.sequence AND w.step = t.next
WHERE d.enrolment_id = enrolment.id AND d.enrolment_id NOT IN (SELECT enrolment_id FROM floor_choice);

-- 12. One mail an address, when the caps and the window allow it, spread over the hours.
CREATE TEMPORARY TABLE floor_slot AS
SELECT enrolment_id, calendar_id, seed, opens, CASE WHEN opens > earliest OR earliest = :now THEN opens END AS queue
FROM (
    SELECT enrolment_id, calendar_id, seed, earliest,
        (SELECT CASE WHEN w.opens_at > r.earliest THEN w.opens_at ELSE r.earliest END FROM window_slot AS w WHERE w.calendar_id = r.calendar_id AND w.closes_at > r.earliest ORDER BY w.closes_at LIMIT 1) AS opens
    FROM (
        SELECT d.enrolment_id, d.calendar_id, d.seed, GREATEST(:now, COALESCE(f.free_at, 0)) AS earliest,
            ROW_NUMBER() OVER (PARTITION BY d.address_id ORDER BY d.priority DESC, d.due_at, d.sequence, d.enrolment_id) AS place
        FROM floor_due AS d
        JOIN floor_choice AS c ON c.enrolment_id = d.enrolment_id
        LEFT JOIN (
            SELECT address_id, MAX(CASE n WHEN 1 THEN sent_at + 172800000000 WHEN 2 THEN sent_at + 604800000000 WHEN 6 THEN sent_at + 2592000000000 ELSE 0 END) AS free_at
            FROM (
                SELECT address_id, sent_at, ROW_NUMBER() OVER (PARTITION BY address_id ORDER BY sent_at DESC, id DESC) AS n
                FROM message
                WHERE counted AND state IN ('accepted', 'unknown') AND sent_at > :now - 2592000000000 AND sent_at < :now AND address_id IN (SELECT address_id FROM floor_due)
            ) AS sent
            GROUP BY address_id
        ) AS f ON f.address_id = d.address_id
    ) AS r
    WHERE place = 1
) AS timed;

CREATE TEMPORARY TABLE floor_time AS
SELECT o.enrolment_id,
    (
        SELECT CASE WHEN o.later < w.closes_at - o.queue THEN o.queue + o.later
            ELSE (SELECT x.opens_at FROM window_slot AS x WHERE x.calendar_id = o.calendar_id AND x.closes_at > w.closes_at ORDER BY x.closes_at LIMIT 1) + (o.later - (w.closes_at - o.queue)) % 28800000000 END
        FROM window_slot AS w WHERE w.calendar_id = o.calendar_id AND w.closes_at > o.queue ORDER BY w.closes_at LIMIT 1
    ) AS send_at
FROM (
    SELECT n.enrolment_id, n.calendar_id, n.queue, (n.place * q.width / q.own + n.seed * 1000000 % GREATEST(q.width / q.own, 1)) / 1000000 * 1000000 AS later
    FROM (SELECT enrolment_id, calendar_id, seed, queue, ROW_NUMBER() OVER (PARTITION BY queue ORDER BY seed, enrolment_id) - 1 AS place FROM floor_slot WHERE queue IS NOT NULL) AS n
    JOIN (
        SELECT queue, own, GREATEST(CASE WHEN own + others <= 25 THEN 0 ELSE (own + others) * 378000000000 / GREATEST((own + others) * 20, 2500) END, CASE WHEN queue > :now THEN 10800000000 ELSE 0 END) AS width
        FROM (
            SELECT f.queue, COUNT(*) AS own, (SELECT COUNT(*) FROM message AS m WHERE m.state IN ('planned', 'claimed') AND m.counted AND m.send_at >= f.queue AND m.send_at < f.queue + 36000000000) AS others
            FROM floor_slot AS f WHERE f.queue IS NOT NULL GROUP BY f.queue
        ) AS sized
    ) AS q ON q.queue = n.queue
) AS o
UNION ALL
SELECT enrolment_id, opens FROM floor_slot WHERE queue IS NULL;

INSERT INTO message (lead_id, address_id, enrolment_id, sequence, step, email, language, purpose, basis, counted, version, state, playbook, planned_at, send_at, expires_at)
SELECT d.lead_id, d.address_id, d.enrolment_id, d.sequence, d.step, c.template, c.lang, c.purpose, d.basis, c.counted, c.version, 'planned', 'floor', :now, t.send_at,
    CASE WHEN c.expires_in IS NOT NULL THEN t.send_at + c.expires_in
        ELSE (SELECT b.starts_at FROM business_day AS b WHERE b.calendar_id = d.calendar_id AND b.n = c.expires_days + (SELECT x.n FROM business_day AS x WHERE x.calendar_id = d.calendar_id AND x.starts_at <= t.send_at ORDER BY x.starts_at DESC LIMIT 1)) END
FROM floor_time AS t
JOIN floor_due AS d ON d.enrolment_id = t.enrolment_id
JOIN floor_choice AS c ON c.enrolment_id = t.enrolment_id
WHERE t.send_at < :now + 129600000000
ORDER BY d.enrolment_id
ON CONFLICT (enrolment_id, step) DO UPDATE SET
    state = excluded.state, reason = NULL, email = excluded.email, language = excluded.language, version = excluded.version,
    playbook = excluded.playbook, planned_at = excluded.planned_at, send_at = excluded.send_at, expires_at = excluded.expires_at;
