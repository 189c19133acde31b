-- Not removed: false is also the default, so a manifest without the field shows no difference.
obj.spec.suspend = false
return obj
