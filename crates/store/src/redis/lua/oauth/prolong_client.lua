-- ARGV: life in ms. Answers: how long it lives, in ms; 0 if it is not there, -1 if it is damaged.
local left = redis.call('PTTL', KEYS[1])
if left == -2 then
  return 0
end
if left < 0 or not string.find(redis.call('GETRANGE', KEYS[1], 0, 9), '^{"used":[01],') then
  return -1
end
left = math.max(left, tonumber(ARGV[1]))
redis.call('SETRANGE', KEYS[1], 8, '1')
redis.call('PEXPIRE', KEYS[1], left)
return left
