-- ARGV: client, life in ms, capacity, how many make room at most. Answers: whether there is room,
-- then those that make it.
forget_ended(used)
forget_ended(unused)
if redis.call('ZSCORE', used, ARGV[1]) or redis.call('ZSCORE', unused, ARGV[1]) then
  return {'room'}
end
local capacity, in_use = tonumber(ARGV[3]), redis.call('ZCARD', used)
-- First, so that nobody makes room in vain.
if in_use >= capacity then
  return {'full'}
end
local answer = {'room'}
local over = in_use + redis.call('ZCARD', unused) - capacity + 1
if over > 0 then
  local oldest = redis.call('ZPOPMIN', unused, math.min(over, tonumber(ARGV[4])))
  for i = 1, #oldest, 2 do
    table.insert(answer, oldest[i])
  end
end
enter(unused, ARGV[1], ARGV[2])
return answer
