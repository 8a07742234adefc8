SELECT email FROM users WHERE id IN (SELECT owner_id FROM notes);
