"""The web page: rendered on the server, nothing from elsewhere, whole without JavaScript."""
