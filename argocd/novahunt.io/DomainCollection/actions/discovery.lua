local status = obj.status or {}
local current = status.observedGeneration == obj.metadata.generation
local failed = status.domains ~= nil and status.domains.failed or 0
local suspended = obj.spec.suspend == true

local holds = {}
for _, condition in ipairs(status.conditions or {}) do
  holds[condition.type] = current and condition.status == "True"
end

local actions = {}
actions["suspend"] = {
  ["disabled"] = suspended,
  ["displayName"] = "Suspend",
  ["iconClass"] = "fa fa-fw fa-pause"
}
actions["resume"] = {
  ["disabled"] = not suspended,
  ["displayName"] = "Resume",
  ["iconClass"] = "fa fa-fw fa-play"
}
-- Of a collection that stalls it also means: try now whether what a person has done helps. Beside Ready it is a sweep
-- that stalls, which this does not concern.
actions["retry-failed"] = {
  ["disabled"] = not ((holds["Stalled"] and not holds["Ready"]) or (current and failed > 0)),
  ["displayName"] = "Retry failed domains",
  ["iconClass"] = "fa fa-fw fa-redo"
}
-- It may pay for every domain again. While a collection works, its domains may be those of the last click.
actions["recollect"] = {
  ["disabled"] = not holds["Ready"] or obj.spec.mode == "Estimate",
  ["displayName"] = "Collect all domains again (may cost credits)",
  ["iconClass"] = "fa fa-fw fa-sync"
}
return actions
