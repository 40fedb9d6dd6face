-- ARGV: attempt. A login that was taken needs its body no more.
if not value then
  return 'unknown'
end
local taken = 'taken ' .. ARGV[1]
if state == 'open' or state == taken then
  become(taken, '')
  return 'taken'
end
return string.find(state, '^taken ') and 'another' or 'damaged'
