"""The gateway: REST and a web page over the collections of one namespace."""
