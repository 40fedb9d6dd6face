if not alive() then
  return ''
end
return redis.call('HGET', state, 'holder') or ''
