-- ARGV: call, number, data, last (0 or 1), most events, most bytes, most bytes of all logs, ttl,
-- retention in ms. Answers: what became of it, and who reads.
if not alive() then
  return {'gone'}
end
local call, data, last = ARGV[1], ARGV[3], ARGV[4] == '1'
local number = tonumber(ARGV[2])
local key, log = tag .. ':call:' .. call, tag .. ':log:' .. call
local known = redis.call('HMGET', key, 'seq', 'events', 'bytes', 'lost', 'ended', 'reader',
  'request')
if not known[1] then
  return {'ended'}
end
local reader = known[6] or ''
local id = ARGV[2] .. '-0'
if number <= tonumber(known[1]) then
  local kept = redis.call('XRANGE', log, id, id)[1]
  -- Somebody else may have ended the call in this one's name.
  if kept and (kept[2][2] ~= data or kept[2][4] ~= ARGV[4]) then
    return {'ended'}
  end
  return {'kept', reader}
end
if known[5] then
  return {'ended'}
end
local request = known[7]
if request and request ~= '' then
  redis.call('PUBLISH', 'mcp:shttp:toclient:' .. session() .. ':' .. request, call .. '.' .. number)
end
local bytes, retention = tonumber(known[3]), tonumber(ARGV[9])
local full = known[4] or tonumber(known[2]) >= tonumber(ARGV[5])
  or bytes + #data > tonumber(ARGV[6])
if full and not last then
  redis.call('HSET', key, 'seq', number, 'lost', 1)
  return {'full', reader}
end
-- Together the logs of all calls have a bound; those of ended calls make room, the oldest first.
local state = tag .. ':state'
local all = redis.call('HINCRBY', state, 'log_bytes', #data)
while all > tonumber(ARGV[7]) do
  local oldest = redis.call('ZPOPMIN', tag .. ':ended')[1]
  if not oldest then
    -- Those that expired unlisted were not taken off.
    all = #data
    for _, running in ipairs(redis.call('HKEYS', tag .. ':running')) do
      all = all + tonumber(redis.call('HGET', tag .. ':call:' .. running, 'bytes') or 0)
    end
    redis.call('HSET', state, 'log_bytes', all)
    break
  end
  forget_listed(oldest)
  all = tonumber(redis.call('HGET', state, 'log_bytes'))
end
local fits = all <= tonumber(ARGV[7])
if fits then
  redis.call('XADD', log, id, 'data', data, 'last', ARGV[4])
  -- From then on both live on together.
  if known[2] == '0' then
    redis.call('EXPIRE', log, math.max(1, redis.call('TTL', key)))
  end
  bytes = bytes + #data
  redis.call('HSET', key, 'seq', number, 'events', tonumber(known[2]) + 1, 'bytes', bytes)
else
  redis.call('HINCRBY', state, 'log_bytes', -#data)
  redis.call('HSET', key, 'seq', number, 'lost', 1)
end
if last then
  local time = now()
  redis.call('HSET', key, 'ended', time)
  redis.call('HDEL', tag .. ':running', call)
  redis.call('ZADD', tag .. ':ended', time, call .. ':' .. bytes)
  renew(tonumber(ARGV[8]))
  redis.call('PEXPIRE', key, retention)
  redis.call('PEXPIRE', log, retention)
end
return {fits and 'kept' or 'full', reader}
