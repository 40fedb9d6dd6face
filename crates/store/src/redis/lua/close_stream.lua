-- ARGV: epoch, what was passed on, ttl.
if not alive() then
  return 0
end
renew(tonumber(ARGV[3]))
local epoch, passed, pushed = numbers('epoch', 'passed', 'pushed')
if epoch == tonumber(ARGV[1]) then
  redis.call('HSET', state, 'holder', '')
  pass(ARGV[2], passed, pushed)
end
return 1
