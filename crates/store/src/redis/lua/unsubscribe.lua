-- ARGV: uri.
if not alive() then
  return 0
end
redis.call('SREM', tag .. ':subscriptions', ARGV[1])
return 1
