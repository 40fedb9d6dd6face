-- ARGV: key, life in ms, most. Answers: the keys of those that make room.
forget_ended(KEYS[1])
redis.call('ZREM', KEYS[1], ARGV[1])
local answer = {}
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3]) + 1
if over > 0 then
  local first = redis.call('ZPOPMIN', KEYS[1], over)
  for i = 1, #first, 2 do
    table.insert(answer, first[i])
  end
end
enter(KEYS[1], ARGV[1], ARGV[2])
return answer
