-- ARGV: call, number, data. Answers: where the call runs.
local key = tag .. ':call:' .. ARGV[1]
local known = redis.call('HMGET', key, 'instance', 'ended')
if not alive() or not known[1] or known[2] then
  return false
end
redis.call('HSETNX', key, 'answer:' .. ARGV[2], ARGV[3])
redis.call('PUBLISH', 'mcp:shttp:toserver:' .. session(), 'answer ' .. ARGV[1] .. '-' .. ARGV[2])
return known[1]
