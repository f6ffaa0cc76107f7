"""What a worker tells about itself: counted through the one `Observer`, read at a scrape, served over HTTP."""
