-- ARGV: the channel of all instances, a notice for them. Whether there is such a grant, and how many
-- the notice has reached.
local is_there = redis.call('EXISTS', KEYS[1])
if is_there == 1 then
  redis.call('HSET', KEYS[1], 'state', 'revoked')
end
return {is_there, redis.call('PUBLISH', ARGV[1], ARGV[2])}
