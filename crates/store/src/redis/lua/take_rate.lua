-- KEYS[1]: when all that was taken will have come back, in µs (GCRA).
-- ARGV: in how many µs one comes back; in how many all do; how many are wanted.
-- Answers: how many were taken; in how many µs there is one more.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, all, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('GET', KEYS[1]) or '0'
local due = string.match(kept, '^%d+$') and tonumber(kept)
if not due then
  return redis.error_reply('WRONGTYPE this is no time')
end
-- Clocks of two servers may differ, and settings change: no more can be missing than there is.
due = math.min(math.max(due, now), now + all)
local count = math.min(math.floor((now + all - due) / each), most)
due = due + count * each
if count > 0 then
  redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000))
end
return {count, math.max(due + each - now - all, 0)}
