-- ARGV: ttl.
if not alive() then
  return 0
end
renew(tonumber(ARGV[1]))
return 1
