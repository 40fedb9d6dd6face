-- KEYS[1]: a task. ARGV: how, body, at. Answers: whether this is how it ended.
local known = redis.call('HMGET', KEYS[1], 'instance', 'end', 'body')
if not known[1] then
  return 0
end
if known[2] then
  return (known[2] == ARGV[1] and known[3] == ARGV[2]) and 1 or 0
end
finish(ARGV[1], ARGV[2], ARGV[3])
return 1
