"""What trains: labelled corpora and a recipe in, a bundle out. Nothing that scores imports from here."""
