-- KEYS[1]: the shelf of a user. ARGV: switch, attempt, most switches, life in ms.
local how = flip(KEYS[1], ARGV[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return how
