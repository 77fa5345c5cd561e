-- Whether a token that is bound to no organization reported a key. A key nobody registered belongs to an organization only as long as nothing but its own
-- tokens reported it: until now one record of an organization made it the owner of a key whose traffic the platform's gateway reported, and let it read that.
-- What was stored before is known where only unbound tokens reported. The view that is there gives the same by the default, of each batch: of one in
-- which both kinds of token reported a key it does not, so those keys have a view of their own. The old view must not be altered: after MODIFY QUERY
-- the engine (26.7) forms other insert tokens for its target until the next start, and a batch that is sent again counts twice there.
ALTER TABLE key_totals${local} ${on_cluster} ADD COLUMN IF NOT EXISTS reported_unbound SimpleAggregateFunction(max, UInt8) DEFAULT organization_id = '';
ALTER TABLE key_totals ${on_cluster} ADD COLUMN IF NOT EXISTS reported_unbound SimpleAggregateFunction(max, UInt8) DEFAULT organization_id = '';

CREATE MATERIALIZED VIEW IF NOT EXISTS key_totals_unbound_view ${on_cluster} TO key_totals${local} AS
SELECT key_id,
       max(requests${local}.organization_id) AS organization_id,
       toUInt8(1) AS reported_unbound,
       toUInt64(0) AS requests,
       min(timestamp) AS first_seen,
       min(received_at) AS tracking_since
FROM requests${local}
GROUP BY key_id
HAVING max(requests${local}.organization_id) != '' AND min(requests${local}.organization_id) = '';
