-- {field: country, is: FR}
coalesce(lead.country = 'FR', 0) = 1

-- {field: country, is_not: FR}
coalesce(lead.country != 'FR', 0) = 1

-- {field: industry, in: [retail, public]}
coalesce(json_extract(lead.attributes, '$."industry"') IN ('retail', 'public') AND (json_type(lead.attributes, '$."industry"') = 'text') = 1, 0) = 1

-- {field: industry, not_in: [retail, public]}
coalesce((json_extract(lead.attributes, '$."industry"') NOT IN ('retail', 'public')) AND (json_type(lead.attributes, '$."industry"') = 'text') = 1, 0) = 1

-- {field: job_title, in_file: lists/firms.txt}
coalesce(json_extract(lead.folded, '$."job_title"') IN ('acme', 'école 42') AND (json_type(lead.folded, '$."job_title"') = 'text') = 1, 0) = 1

-- {field: employees, at_least: 10}
coalesce(CASE WHEN json_type(lead.attributes, '$."employees"') IN ('integer', 'real') THEN json_extract(lead.attributes, '$."employees"') END >= 10, 0) = 1

-- {field: fit, at_most: 35}
coalesce(lead_score.fit <= 3500, 0) = 1

-- {field: rate, over: 0.5}
coalesce(CASE WHEN json_type(lead.attributes, '$."rate"') IN ('integer', 'real') THEN json_extract(lead.attributes, '$."rate"') END > CAST(0.5 AS NUMERIC), 0) = 1

-- {field: employees, under: 3}
coalesce(CASE WHEN json_type(lead.attributes, '$."employees"') IN ('integer', 'real') THEN json_extract(lead.attributes, '$."employees"') END < 3, 0) = 1

-- {field: employees, between: [10, 250]}
coalesce(CASE WHEN json_type(lead.attributes, '$."employees"') IN ('integer', 'real') THEN json_extract(lead.attributes, '$."employees"') END BETWEEN 10 AND 250, 0) = 1

-- {field: deadline, before: 2026-12-21}
coalesce(json_extract(lead.attributes, '$."deadline"') < '2026-12-21' AND (json_type(lead.attributes, '$."deadline"') = 'text' AND json_extract(lead.attributes, '$."deadline"') GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]') = 1, 0) = 1

-- {field: deadline, after: 2026-12-21}
coalesce(json_extract(lead.attributes, '$."deadline"') > '2026-12-21' AND (json_type(lead.attributes, '$."deadline"') = 'text' AND json_extract(lead.attributes, '$."deadline"') GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]') = 1, 0) = 1

-- {field: deadline, within_next: 120 days}
coalesce(json_extract(lead.attributes, '$."deadline"') BETWEEN '2026-03-02' AND '2026-06-30' AND (json_type(lead.attributes, '$."deadline"') = 'text' AND json_extract(lead.attributes, '$."deadline"') GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]') = 1, 0) = 1

-- {field: deadline, within_last: 30 days}
coalesce(json_extract(lead.attributes, '$."deadline"') BETWEEN '2026-01-31' AND '2026-03-02' AND (json_type(lead.attributes, '$."deadline"') = 'text' AND json_extract(lead.attributes, '$."deadline"') GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]') = 1, 0) = 1

-- {field: job_title, contains: chef}
coalesce((instr(json_extract(lead.folded, '$."job_title"'), 'chef') > 0) = 1 AND (json_type(lead.folded, '$."job_title"') = 'text') = 1, 0) = 1

-- {field: job_title, starts_with: chef}
coalesce(substr(json_extract(lead.folded, '$."job_title"'), 1, 4) = 'chef' AND (json_type(lead.folded, '$."job_title"') = 'text') = 1, 0) = 1

-- {field: job_title, matches: 'chef*'}
coalesce(substr(json_extract(lead.folded, '$."job_title"'), 1, 4) = 'chef' AND (json_type(lead.folded, '$."job_title"') = 'text') = 1, 0) = 1

-- {field: job_title, matches: '*chef?[1]_'}
coalesce((json_extract(lead.folded, '$."job_title"') GLOB '*chef?[[]1]_') = 1 AND (json_type(lead.folded, '$."job_title"') = 'text') = 1, 0) = 1

-- {field: job_title, matches_word: [gérant, directeur général]}
coalesce(((instr(json_extract(lead.folded, '$."job_title#words"'), ' gérant ') > 0) = 1 OR (instr(json_extract(lead.folded, '$."job_title#words"'), ' directeur général ') > 0) = 1) AND (json_type(lead.folded, '$."job_title#words"') = 'text') = 1, 0) = 1

-- {field: subscribed, is: true}
coalesce(CASE json_type(lead.attributes, '$."subscribed"') WHEN 'true' THEN 1 WHEN 'false' THEN 0 END = 1, 0) = 1

-- {field: employees, known: false}
CASE WHEN json_type(lead.attributes, '$."employees"') IN ('integer', 'real') THEN json_extract(lead.attributes, '$."employees"') END IS NULL

-- {field: consent.newsletter, is: true}
coalesce((lead.id IN (SELECT anon_1.lead_id 
FROM (SELECT consent.lead_id AS lead_id, consent.state AS state, row_number() OVER (PARTITION BY consent.lead_id ORDER BY consent.at DESC, consent.id DESC) AS newest 
FROM consent 
WHERE consent.purpose = 'newsletter' AND consent.state != 'asked') AS anon_1 
WHERE anon_1.newest = 1 AND anon_1.state = 'given')) = 1, 0) = 1

-- {field: qualification.budget, is: met}
coalesce(CASE WHEN ((lead_state.criteria & 2) != 0) THEN 'met' WHEN (lead_state.criteria IS NOT NULL) THEN 'unmet' END = 'met', 0) = 1

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
WHERE event.lead_id IS NOT NULL AND event.occurred_at < 1772420400000000 AND event.received_at < 1772420400000000 AND event.weight > 0 AND event.kind = 'page_viewed' AND (event.path = '/a' OR (event.path GLOB '/*/b') = 1) AND (CASE json_type(event.properties, '$."topic"') WHEN 'text' THEN json_extract(event.properties, '$."topic"') WHEN 'integer' THEN CAST(json_extract(event.properties, '$."topic"') AS TEXT) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' END = 'seo' OR CASE json_type(event.properties, '$."topic"') WHEN 'text' THEN json_extract(event.properties, '$."topic"') WHEN 'integer' THEN CAST(json_extract(event.properties, '$."topic"') AS TEXT) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' END >= 'ad' AND CASE json_type(event.properties, '$."topic"') WHEN 'text' THEN json_extract(event.properties, '$."topic"') WHEN 'integer' THEN CAST(json_extract(event.properties, '$."topic"') AS TEXT) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' END < 'ae') GROUP BY event.lead_id 
HAVING count(*) BETWEEN 1 AND 4)

-- {segment: shops}
lead.id IN (SELECT membership.lead_id 
FROM membership 
WHERE membership.segment = 'shops' AND membership.left_at IS NULL)

-- {not: {all: [{segment: shops}, {any: [{field: country, is: FR}, {event: page_viewed}]}]}}
NOT (lead.id IN (SELECT membership.lead_id 
FROM membership 
WHERE membership.segment = 'shops' AND membership.left_at IS NULL) AND (coalesce(lead.country = 'FR', 0) = 1 OR lead.id IN (SELECT event.lead_id 
FROM event 
WHERE event.lead_id IS NOT NULL AND event.occurred_at < 1772420400000000 AND event.received_at < 1772420400000000 AND event.weight > 0 AND event.kind = 'page_viewed')))

-- spent and late acts left out: {event: page_viewed}
lead.id IN (SELECT event.lead_id 
FROM event 
WHERE event.lead_id IS NOT NULL AND event.occurred_at < 1772420400000000 AND event.received_at < 1772420400000000 AND event.weight > 0 AND event.kind = 'page_viewed' AND event.received_at - event.occurred_at <= 86400000000 AND NOT (EXISTS (SELECT * 
FROM lead_state AS spent 
WHERE spent.lead_id = event.lead_id AND spent.spent_before IS NOT NULL AND event.occurred_at < spent.spent_before)))
