-- Answers: how long it lives in ms, if it was used after all.
if redis.call('GETRANGE', KEYS[1], 0, 9) == '{"used":1,' then
  return redis.call('PTTL', KEYS[1])
end
redis.call('DEL', KEYS[1])
return 0
