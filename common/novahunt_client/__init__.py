"""What NovaHunt's clients share: the gateway and the command line show and do the same things in the same words."""
