-- ARGV: call. Answers: whether it is cancelled, then number and data of each answer.
local known = redis.call('HGETALL', tag .. ':call:' .. ARGV[1])
if not alive() or #known == 0 then
  return false
end
local news = {0}
for i = 1, #known, 2 do
  local number = string.match(known[i], '^answer:(%d+)$')
  if known[i] == 'ended' then
    return false
  elseif known[i] == 'cancelled' then
    news[1] = 1
  elseif number then
    table.insert(news, number)
    table.insert(news, known[i + 1])
  end
end
return news
