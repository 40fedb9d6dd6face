-- ARGV: attempt.
if not value then
  return 'unknown'
end
local redeemed = 'redeemed ' .. ARGV[1]
if state == 'fresh' or state == redeemed then
  become(redeemed, body)
  return 'redeemed'
end
return string.find(state, '^redeemed ') and 'replayed' or 'damaged'
