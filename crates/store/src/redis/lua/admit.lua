-- ARGV: user, issuer, client, ttl. What of a session never changes: transport, initialize, version,
-- of which the latter two are empty while there is no handshake. Nothing if it is not there or
-- somebody else's, whose life stays as it is.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return {}
end
local fields = {'issuer', 'client', 'transport', 'initialize', 'version'}
local kept = redis.call('HMGET', tag .. ':state', unpack(fields))
if not kept[1] or not kept[2] or not kept[3] then
  redis.call('DEL', KEYS[1])
  return {'half'}
end
if kept[1] ~= ARGV[2] or kept[2] ~= ARGV[3] then
  return {}
end
local ttl = tonumber(ARGV[4])
redis.call('EXPIRE', KEYS[1], ttl)
for _, name in ipairs({':state', ':subscriptions', ':stream'}) do
  redis.call('EXPIRE', tag .. name, ttl + SLACK)
end
return {kept[3], kept[4] or '', kept[5] or ''}
