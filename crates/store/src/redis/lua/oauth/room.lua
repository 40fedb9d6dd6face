-- ARGV: name, life in ms, limit. Answers: whether there is room.
forget_ended(KEYS[1])
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 1
end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  return 0
end
enter(KEYS[1], ARGV[1], ARGV[2])
return 1
