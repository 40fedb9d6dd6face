-- Of the registrations, those that were never used are kept apart: they may make room.
local used, unused = KEYS[1], '{' .. KEYS[1] .. '}:unused'
