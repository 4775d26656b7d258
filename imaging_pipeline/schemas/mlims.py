"""Animals, as the colony system knows them."""

import datajoint as dj

schema = dj.Schema()


@schema
class AnimalColor(dj.Lookup):
    """Coat colours."""

    definition = """
    color : varchar(64)  # coat colour as the colony system writes it
    """


@schema
class Strain(dj.Lookup):
    """Strains."""

    definition = """
    strain : varchar(128)  # strain as the colony system writes it
    """


@schema
class Gene(dj.Lookup):
    """Genes that animals are typed for."""

    definition = """
    gene : varchar(128)
    ---
    gene_description="" : varchar(1024)
    """


@schema
class Animal(dj.Manual):
    """Animals; one that has left the colony stays here."""

    definition = """
    animal_id : varchar(36)  # the colony system's own identifier
    datasource_id : int32  # which colony system it comes from
    ---
    animal_name : varchar(128)  # what people call it, not unique
    animal_species="mouse" : varchar(64)
    animal_sex="unknown" : enum('male', 'female', 'unknown')
    animal_dob=null : date  # date of birth
    -> [nullable] AnimalColor
    animal_notes="" : varchar(4096)
    animal_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    INDEX (animal_name)
    """

    class BackgroundStrain(dj.Part):
        """Strain that the line was crossed back to."""

        definition = """
        -> master
        ---
        background_strain : varchar(128)
        """

    class Death(dj.Part):
        """When and why an animal died."""

        definition = """
        -> master
        ---
        death_date : date
        death_cause="" : varchar(255)
        """

    class Generation(dj.Part):
        """Generation of back-crossing."""

        definition = """
        -> master
        ---
        generation : varchar(64)
        """

    class Litter(dj.Part):
        """Litter that the animal was born in."""

        definition = """
        -> master
        ---
        litter : varchar(64)
        """

    class Purpose(dj.Part):
        """What the animal is kept for."""

        definition = """
        -> master
        ---
        purpose : varchar(255)
        """

    class Strain(dj.Part):
        """Strain of the animal."""

        definition = """
        -> master
        ---
        -> Strain
        """


@schema
class Genotype(dj.Manual):
    """What an animal carries of each gene."""

    definition = """
    -> Animal
    -> Gene
    ---
    genotype : varchar(64)  # for example het, hom, wt
    """
