-- KEYS[1]: an elicitation. ARGV: the state it must be in, the one it gets, by which attempt.
-- Answers: nothing if it is not there; or the state it is in, and by which attempt.
local known = redis.call('HMGET', KEYS[1], 'state', 'by')
if not known[1] then
  return false
end
if known[1] == ARGV[1] then
  redis.call('HSET', KEYS[1], 'state', ARGV[2], 'by', ARGV[3])
  return {ARGV[2], ARGV[3]}
end
return {known[1], known[2] or ''}
