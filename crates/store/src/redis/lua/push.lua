-- ARGV: data, most events, most bytes, ttl. Answers: whether the session lives, and who holds.
if not alive() then
  return false
end
local pushed = redis.call('HINCRBY', state, 'pushed', 1)
redis.call('XADD', log, string.format('%d-%d', pushed, now()), 'data', ARGV[1])
local bytes = redis.call('HINCRBY', state, 'stream_bytes', #ARGV[1])
while redis.call('XLEN', log) > tonumber(ARGV[2]) or bytes > tonumber(ARGV[3]) do
  drop(oldest())
  bytes = number('stream_bytes')
end
redis.call('EXPIRE', log, tonumber(ARGV[4]) + SLACK)
return redis.call('HGET', state, 'holder') or ''
