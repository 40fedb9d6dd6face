-- ARGV: instance, how (take or free), the position the client has (empty for none), ttl.
-- Answers: gone; held and by whom; or holder, epoch, position and who held it before.
if not alive() then
  return {'gone'}
end
renew(tonumber(ARGV[4]))
local before = redis.call('HGET', state, 'holder') or ''
if ARGV[2] == 'free' and before ~= '' then
  return {'held', before}
end
local passed, pushed, dropped = numbers('passed', 'pushed', 'dropped')
if ARGV[3] ~= '' then
  local after, first = tonumber(ARGV[3]), oldest()
  local reach = first and position(first) - 1 or pushed
  if after >= reach and after <= pushed then
    passed = after
    redis.call('HSET', state, 'passed', passed)
  else
    passed = math.min(passed, reach)
    redis.call('HSET', state, 'passed', passed, 'dropped', math.max(dropped, passed + 1))
  end
end
local epoch = redis.call('HINCRBY', state, 'epoch', 1)
redis.call('HSET', state, 'holder', ARGV[1])
return {'holder', epoch, passed, before}
