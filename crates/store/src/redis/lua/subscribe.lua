-- ARGV: uri, limit, ttl.
if not alive() then
  return 'gone'
end
local key = tag .. ':subscriptions'
if redis.call('SISMEMBER', key, ARGV[1]) == 0 and redis.call('SCARD', key) >= tonumber(ARGV[2]) then
  return 'full'
end
redis.call('SADD', key, ARGV[1])
redis.call('EXPIRE', key, tonumber(ARGV[3]) + SLACK)
return 'done'
