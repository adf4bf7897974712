-- {field: country, is: FR}
coalesce(lead.country = 'FR', false)

-- {field: country, is_not: FR}
coalesce(lead.country != 'FR', false)

-- {field: industry, in: [retail, public]}
coalesce((lead.attributes ->> 'industry') COLLATE "C" IN ('retail', 'public') AND (jsonb_typeof(lead.attributes -> 'industry') = 'string'), false)

-- {field: industry, not_in: [retail, public]}
coalesce(((lead.attributes ->> 'industry') COLLATE "C" NOT IN ('retail', 'public')) AND (jsonb_typeof(lead.attributes -> 'industry') = 'string'), false)

-- {field: job_title, in_file: lists/firms.txt}
coalesce((lead.folded ->> 'job_title') COLLATE "C" IN ('acme', 'école 42') AND (jsonb_typeof(lead.folded -> 'job_title') = 'string'), false)

-- {field: employees, at_least: 10}
coalesce(CASE WHEN jsonb_typeof(lead.attributes -> 'employees') = 'number' THEN CAST(lead.attributes ->> 'employees' AS NUMERIC) END >= 10, false)

-- {field: fit, at_most: 35}
coalesce(lead_score.fit <= 3500, false)

-- {field: rate, over: 0.5}
coalesce(CASE WHEN jsonb_typeof(lead.attributes -> 'rate') = 'number' THEN CAST(lead.attributes ->> 'rate' AS NUMERIC) END > CAST(0.5 AS NUMERIC), false)

-- {field: employees, under: 3}
coalesce(CASE WHEN jsonb_typeof(lead.attributes -> 'employees') = 'number' THEN CAST(lead.attributes ->> 'employees' AS NUMERIC) END < 3, false)

-- {field: employees, between: [10, 250]}
coalesce(CASE WHEN jsonb_typeof(lead.attributes -> 'employees') = 'number' THEN CAST(lead.attributes ->> 'employees' AS NUMERIC) END BETWEEN 10 AND 250, false)

-- {field: deadline, before: 2026-12-21}
coalesce((lead.attributes ->> 'deadline') COLLATE "C" < '2026-12-21' AND (jsonb_typeof(lead.attributes -> 'deadline') = 'string' AND (lead.attributes ->> 'deadline') LIKE '____-__-__' AND translate((lead.attributes ->> 'deadline'), '0123456789', '') = '--'), false)

-- {field: deadline, after: 2026-12-21}
coalesce((lead.attributes ->> 'deadline') COLLATE "C" > '2026-12-21' AND (jsonb_typeof(lead.attributes -> 'deadline') = 'string' AND (lead.attributes ->> 'deadline') LIKE '____-__-__' AND translate((lead.attributes ->> 'deadline'), '0123456789', '') = '--'), false)

-- {field: deadline, within_next: 120 days}
coalesce((lead.attributes ->> 'deadline') COLLATE "C" BETWEEN '2026-03-02' AND '2026-06-30' AND (jsonb_typeof(lead.attributes -> 'deadline') = 'string' AND (lead.attributes ->> 'deadline') LIKE '____-__-__' AND translate((lead.attributes ->> 'deadline'), '0123456789', '') = '--'), false)

-- {field: deadline, within_last: 30 days}
coalesce((lead.attributes ->> 'deadline') COLLATE "C" BETWEEN '2026-01-31' AND '2026-03-02' AND (jsonb_typeof(lead.attributes -> 'deadline') = 'string' AND (lead.attributes ->> 'deadline') LIKE '____-__-__' AND translate((lead.attributes ->> 'deadline'), '0123456789', '') = '--'), false)

-- {field: job_title, contains: chef}
coalesce((strpos((lead.folded ->> 'job_title') COLLATE "C", 'chef') > 0) AND (jsonb_typeof(lead.folded -> 'job_title') = 'string'), false)

-- {field: job_title, starts_with: chef}
coalesce(substr((lead.folded ->> 'job_title') COLLATE "C", 1, 4) = 'chef' AND (jsonb_typeof(lead.folded -> 'job_title') = 'string'), false)

-- {field: job_title, matches: 'chef*'}
coalesce(substr((lead.folded ->> 'job_title') COLLATE "C", 1, 4) = 'chef' AND (jsonb_typeof(lead.folded -> 'job_title') = 'string'), false)

-- {field: job_title, matches: '*chef?[1]_'}
coalesce(((lead.folded ->> 'job_title') COLLATE "C" LIKE '%chef_[1]\_' ESCAPE E'\\') AND (jsonb_typeof(lead.folded -> 'job_title') = 'string'), false)

-- {field: job_title, matches_word: [gérant, directeur général]}
coalesce(((strpos((lead.folded ->> 'job_title#words') COLLATE "C", ' gérant ') > 0) OR (strpos((lead.folded ->> 'job_title#words') COLLATE "C", ' directeur général ') > 0)) AND (jsonb_typeof(lead.folded -> 'job_title#words') = 'string'), false)

-- {field: subscribed, is: true}
coalesce(CASE WHEN jsonb_typeof(lead.attributes -> 'subscribed') = 'boolean' THEN CAST(lead.attributes ->> 'subscribed' AS BOOLEAN) END = true, false)

-- {field: employees, known: false}
CASE WHEN jsonb_typeof(lead.attributes -> 'employees') = 'number' THEN CAST(lead.attributes ->> 'employees' AS NUMERIC) END IS NULL

-- {field: consent.newsletter, is: true}
coalesce((lead.id IN (SELECT anon_1.lead_id 
FROM (SELECT consent.lead_id AS lead_id, consent.state AS state, row_number() OVER (PARTITION BY consent.lead_id ORDER BY consent.at DESC, consent.id DESC) AS newest 
FROM consent 
WHERE consent.purpose = 'newsletter' AND consent.state != 'asked') AS anon_1 
WHERE anon_1.newest = 1 AND anon_1.state = 'given')) = true, false)

-- {field: qualification.budget, is: met}
coalesce(CASE WHEN ((lead_state.criteria & 2) != 0) THEN 'met' WHEN (lead_state.criteria IS NOT NULL) THEN 'unmet' END = 'met', false)

-- {event: page_viewed}
lead.id IN (SELECT event.lead_id 
FROM event 
WHERE event.lead_id IS NOT NULL AND event.occurred_at < 1772420400000000 AND event.received_at < 1772420400000000 AND event.weight > 0 AND event.kind = 'page_viewed')

-- {event: page_viewed, where: {path: /tarifs*}, at_least: 2, within: 14 days}
lead.id IN (SELECT event.lead_id 
FROM event 
WHERE event.lead_id IS NOT NULL AND event.occurred_at < 1772420400000000 AND event.received_at < 1772420400000000 AND event.weight > 0 AND event.kind = 'page_viewed' AND event.occurred_at >= 1771210800000000 AND event.path >= '/tarifs' AND event.path < '/tarift' GROUP BY event.lead_id 
HAVING count(*) >= 2)

-- {event: [page_viewed, email_clicked], at_most: 3, within: 7 days}
(lead.id NOT IN (SELECT event.lead_id 
FROM event 
WHERE event.lead_id IS NOT NULL AND event.occurred_at < 1772420400000000 AND event.received_at < 1772420400000000 AND event.weight > 0 AND event.kind IN ('page_viewed', 'email_clicked') AND event.occurred_at >= 1771815600000000 GROUP BY event.lead_id 
HAVING count(*) > 3))

-- {event: page_viewed, where: {path: [/a, '/*/b'], topic: [seo, 'ad*']}, at_least: 1, at_most: 4}
lead.id IN (SELECT event.lead_id 
FROM event 
WHERE event.lead_id IS NOT NULL AND event.occurred_at < 1772420400000000 AND event.received_at < 1772420400000000 AND event.weight > 0 AND event.kind = 'page_viewed' AND (event.path = '/a' OR (event.path LIKE '/%/b' ESCAPE E'\\')) AND (CASE WHEN jsonb_typeof(event.properties -> 'topic') IN ('string', 'boolean') OR jsonb_typeof(event.properties -> 'topic') = 'number' AND (event.properties ->> 'topic') ~ '^-?[0-9]+$' THEN (event.properties ->> 'topic') COLLATE "C" END = 'seo' OR CASE WHEN jsonb_typeof(event.properties -> 'topic') IN ('string', 'boolean') OR jsonb_typeof(event.properties -> 'topic') = 'number' AND (event.properties ->> 'topic') ~ '^-?[0-9]+$' THEN (event.properties ->> 'topic') COLLATE "C" END >= 'ad' AND CASE WHEN jsonb_typeof(event.properties -> 'topic') IN ('string', 'boolean') OR jsonb_typeof(event.properties -> 'topic') = 'number' AND (event.properties ->> 'topic') ~ '^-?[0-9]+$' THEN (event.properties ->> 'topic') COLLATE "C" END < 'ae') GROUP BY event.lead_id 
HAVING count(*) BETWEEN 1 AND 4)

-- {segment: shops}
lead.id IN (SELECT membership.lead_id 
FROM membership 
WHERE membership.segment = 'shops' AND membership.left_at IS NULL)

-- {not: {all: [{segment: shops}, {any: [{field: country, is: FR}, {event: page_viewed}]}]}}
NOT (lead.id IN (SELECT membership.lead_id 
FROM membership 
WHERE membership.segment = 'shops' AND membership.left_at IS NULL) AND (coalesce(lead.country = 'FR', false) OR lead.id IN (SELECT event.lead_id 
FROM event 
WHERE event.lead_id IS NOT NULL AND event.occurred_at < 1772420400000000 AND event.received_at < 1772420400000000 AND event.weight > 0 AND event.kind = 'page_viewed')))

-- spent and late acts left out: {event: page_viewed}
lead.id IN (SELECT event.lead_id 
FROM event 
WHERE event.lead_id IS NOT NULL AND event.occurred_at < 1772420400000000 AND event.received_at < 1772420400000000 AND event.weight > 0 AND event.kind = 'page_viewed' AND event.received_at - event.occurred_at <= 86400000000 AND NOT (EXISTS (SELECT * 
FROM lead_state AS spent 
WHERE spent.lead_id = event.lead_id AND spent.spent_before IS NOT NULL AND event.occurred_at < spent.spent_before)))
