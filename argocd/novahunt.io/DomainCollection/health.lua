-- Health of a DomainCollection. Its status is in the format of kstatus: Reconciling and Stalled beside Ready, and
-- observedGeneration.
local hs = {}

if obj.metadata.deletionTimestamp ~= nil then
  hs.status = "Progressing"
  hs.message = "Being deleted."
  return hs
end

if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  hs.status = "Progressing"
  hs.message = "The operator has not taken up this version yet."
  return hs
end

local true_ones = {}
local ready = nil
for _, condition in ipairs(obj.status.conditions or {}) do
  if condition.status == "True" then
    true_ones[condition.type] = condition
  end
  if condition.type == "Ready" then
    ready = condition
  end
end

local stalled = true_ones["Stalled"]
if stalled ~= nil then
  -- A person is needed, for the domains or for a sweep of what is stored. It goes on by itself once that is done.
  hs.status = "Degraded"
  hs.message = stalled.reason .. ": " .. stalled.message
  return hs
end

if true_ones["Suspended"] ~= nil then
  hs.status = "Suspended"
  hs.message = true_ones["Suspended"].message
  return hs
end

-- Domains that failed are an end as well: retrying them is a wish, not a repair.
if true_ones["Ready"] ~= nil and true_ones["Reconciling"] == nil then
  hs.status = "Healthy"
else
  hs.status = "Progressing"
end
hs.message = ready ~= nil and ready.message or "The operator has not told how far it is yet."
local waiting = true_ones["Waiting"]
if waiting ~= nil then
  hs.message = hs.message .. " " .. waiting.reason .. ": " .. waiting.message
end
return hs
