-- ARGV: call.
if not alive() then
  return 0
end
local bytes = redis.call('HGET', tag .. ':call:' .. ARGV[1], 'bytes')
redis.call('HDEL', tag .. ':running', ARGV[1])
forget(ARGV[1], tonumber(bytes or 0))
return 1
