-- ARGV: life in ms. Answers: what became of it, and whose it is.
local left = redis.call('PTTL', KEYS[1])
if left == -2 then
  return {'gone'}
end
local state, user = unpack(redis.call('HMGET', KEYS[1], 'state', 'user'))
if state == 'active' and user and left >= 0 then
  redis.call('PEXPIRE', KEYS[1], math.max(left, tonumber(ARGV[1])))
  return {'active', user}
end
return {state == 'revoked' and 'gone' or 'damaged'}
