-- ARGV: user, issuer, client, the channel of all instances, a notice for them. Whether it was ended,
-- and how many the notice has reached.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return {0, 0}
end
local bound = redis.call('HMGET', tag .. ':state', 'issuer', 'client')
if bound[1] ~= ARGV[2] or bound[2] ~= ARGV[3] then
  return {0, 0}
end
for _, call in ipairs(redis.call('HKEYS', tag .. ':running')) do
  forget(call, 0)
end
for _, listed in ipairs(redis.call('ZRANGE', tag .. ':ended', 0, -1)) do
  forget_listed(listed)
end
redis.call('DEL', KEYS[1], tag .. ':state', tag .. ':subscriptions', tag .. ':stream',
  tag .. ':running', tag .. ':ended', tag .. ':cancelled')
redis.call('PUBLISH', 'mcp:control:' .. session(), 'ended')
return {1, redis.call('PUBLISH', ARGV[4], ARGV[5])}
