-- Whether a token that is bound to no organization reported a key. A key nobody registered belongs to an organization only as long as nothing but its own
-- tokens reported it: until now one record of an organization made it the owner of a key whose traffic the platform's gateway reported, and let it read that.
-- What was stored before is known where only unbound tokens reported.
ALTER TABLE key_totals${local} ${on_cluster} ADD COLUMN IF NOT EXISTS reported_unbound SimpleAggregateFunction(max, UInt8) DEFAULT organization_id = '';
ALTER TABLE key_totals ${on_cluster} ADD COLUMN IF NOT EXISTS reported_unbound SimpleAggregateFunction(max, UInt8) DEFAULT organization_id = '';

ALTER TABLE key_totals_view ${on_cluster} MODIFY QUERY
SELECT key_id,
       max(requests${local}.organization_id) AS organization_id,
       max(requests${local}.organization_id = '') AS reported_unbound,
       count() AS requests,
       min(timestamp) AS first_seen,
       min(received_at) AS tracking_since,
       max(CAST(tuple(timestamp, country, method, route, status),
                'Tuple(at DateTime64(3, \'UTC\'), country String, method String, route String, status UInt16)')) AS last_used
FROM requests${local}
GROUP BY key_id;
