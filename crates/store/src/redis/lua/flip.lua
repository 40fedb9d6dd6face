-- ARGV: switch, attempt, most switches.
if not alive() then
  return 'gone'
end
return flip(tag .. ':state', ARGV[1], ARGV[2], ARGV[3])
