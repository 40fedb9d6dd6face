-- KEYS[1]: a task. ARGV: key, question, at. Answers: nothing if it has ended; 'waiting'; or
-- 'answered' and the answer.
local known = redis.call('HMGET', KEYS[1], 'instance', 'end', 'answer:' .. ARGV[1])
if not known[1] or known[2] then
  return false
end
if known[3] then
  return {'answered', known[3]}
end
if redis.call('HSETNX', KEYS[1], 'question:' .. ARGV[1], ARGV[2]) == 1 then
  redis.call('HSET', KEYS[1], 'updated', ARGV[3])
end
return {'waiting'}
