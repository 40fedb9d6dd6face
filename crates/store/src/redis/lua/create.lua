-- ARGV: user, issuer, client, transport, initialize, version, ttl, the place in the log of changes.
-- An empty version is no handshake.
if alive() then
  return 0
end
local ttl = tonumber(ARGV[7])
redis.call('SET', KEYS[1], ARGV[1], 'EX', ttl)
redis.call('HSET', tag .. ':state', 'issuer', ARGV[2], 'client', ARGV[3], 'transport', ARGV[4],
  'told', ARGV[8])
if ARGV[6] ~= '' then
  redis.call('HSET', tag .. ':state', 'initialize', ARGV[5], 'version', ARGV[6])
end
redis.call('EXPIRE', tag .. ':state', ttl + SLACK)
return 1
