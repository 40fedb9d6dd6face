-- ARGV: initialize, version, the place in the log of changes.
if not alive() then
  return 'gone'
end
local before = redis.call('HMGET', tag .. ':state', 'initialize', 'version')
if not before[2] then
  redis.call('HSET', tag .. ':state', 'initialize', ARGV[1], 'version', ARGV[2],
    'told', ARGV[3])
  return 'done'
end
if before[1] == ARGV[1] and before[2] == ARGV[2] then
  return 'done'
end
return 'already'
