-- Any new value is a new wish. The generation makes it new; two clicks on the same version are one wish.
obj.spec.retryFailed = "generation " .. obj.metadata.generation .. " of " .. obj.metadata.uid
return obj
