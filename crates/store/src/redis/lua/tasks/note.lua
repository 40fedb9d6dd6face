-- KEYS[1]: a task. ARGV: note, at.
local known = redis.call('HMGET', KEYS[1], 'instance', 'end')
if known[1] and not known[2] then
  redis.call('HSET', KEYS[1], 'note', ARGV[1], 'updated', ARGV[2])
end
