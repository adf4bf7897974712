"""The public doors: what mails point at, what providers report, what a site's forms post. GET changes nothing."""
