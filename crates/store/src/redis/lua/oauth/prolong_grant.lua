-- ARGV: life in ms.
local left = redis.call('PTTL', KEYS[1])
if left == -2 then
  return 'gone'
end
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'active' and left >= 0 then
  redis.call('PEXPIRE', KEYS[1], math.max(left, tonumber(ARGV[1])))
  return 'active'
end
return state == 'revoked' and 'gone' or 'damaged'
