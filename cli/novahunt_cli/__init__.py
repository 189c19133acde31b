"""The command line `novahunt`: people's way to DomainCollections and DomainResults, beside kubectl."""
