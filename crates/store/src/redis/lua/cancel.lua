-- ARGV: request, how many marks, how long a mark waits in ms. Answers: call and instance of each.
if not alive() then
  return {}
end
local found = {}
local running = redis.call('HGETALL', tag .. ':running')
for i = 1, #running, 2 do
  if running[i + 1] == ARGV[1] then
    local key = tag .. ':call:' .. running[i]
    redis.call('HSET', key, 'cancelled', 1)
    table.insert(found, running[i])
    table.insert(found, redis.call('HGET', key, 'instance'))
  end
end
redis.call('PUBLISH', 'mcp:shttp:toserver:' .. session(), 'cancelled ' .. ARGV[1])
-- A mark is for a call that is not open yet; one that is open has been found.
if #found == 0 then
  local marks = tag .. ':cancelled'
  redis.call('ZADD', marks, now(), ARGV[1])
  redis.call('ZREMRANGEBYRANK', marks, 0, -tonumber(ARGV[2]) - 1)
  redis.call('PEXPIRE', marks, ARGV[3])
end
return found
