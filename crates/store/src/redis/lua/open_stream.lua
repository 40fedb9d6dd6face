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
if ARGV[3] ~= '' then
  local after, pushed, first = tonumber(ARGV[3]), number('pushed'), oldest()
  local reach = first and position(first) - 1 or pushed
  if after >= reach and after <= pushed then
    redis.call('HSET', state, 'passed', after)
  else
    local passed = math.min(number('passed'), reach)
    redis.call('HSET', state, 'passed', passed,
      'dropped', math.max(number('dropped'), passed + 1))
  end
end
local epoch = redis.call('HINCRBY', state, 'epoch', 1)
redis.call('HSET', state, 'holder', ARGV[1])
return {'holder', epoch, number('passed'), before}
