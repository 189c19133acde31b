"""The collector: gathers one domain's addresses from Hunter, stores them durably and writes a receipt."""
