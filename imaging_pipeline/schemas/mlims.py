"""Animals, as the colony system knows them, and what each comparison with it did."""

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
    """Animals; one that has died, or that the colony system no longer tells of, stays here."""

    # The identifier is text even where it is a UUID: DataJoint's type for these does not work on PostgreSQL.
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

    class FormerName(dj.Part):
        """Names that an animal had before it was renamed."""

        definition = """
        -> master
        name_number : int32  # from 0, in order of time
        ---
        former_name : varchar(128)
        renamed_time=CURRENT_TIMESTAMP(6) : datetime(6)  # when the new name was met
        INDEX (former_name)
        """

    class Generation(dj.Part):
        """Generation of back-crossing."""

        definition = """
        -> master
        ---
        generation : varchar(64)
        """

    class Gone(dj.Part):
        """Animals that the colony system no longer tells of; the row goes when it does again."""

        definition = """
        -> master
        ---
        missed_since=CURRENT_TIMESTAMP(6) : datetime(6)  # when it was first missed
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

        # Not this part: a definition refers to the tables of the module.
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


@schema
class Sync(dj.Manual):
    """Comparisons of these tables with the colony system, or with a file that was imported."""

    definition = """
    sync_id : int32  # from 0, in order of time
    ---
    sync_source : varchar(512)  # kind and place
    sync_datasource : int32  # datasource_id of its animals
    sync_is_whole : bool  # whether who is missing is gone; not so for a file that was imported
    sync_host : varchar(255)  # the machine
    sync_started=CURRENT_TIMESTAMP(6) : datetime(6)  # by the server's clock
    sync_alive=CURRENT_TIMESTAMP(6) : datetime(6)  # the same, renewed while it runs
    sync_duration_s=null : float64  # s; empty while it runs
    sync_error="" : varchar(2048)  # why it changed nothing, or not all; empty where it went well
    num_animals=0 : int32  # that the source tells of
    num_added=0 : int32
    num_changed=0 : int32  # animals
    num_gone=0 : int32  # first missed by this one
    num_returned=0 : int32  # that were gone, and are there again
    num_rows_skipped=0 : int32
    """

    class Change(dj.Part):
        """Values that were changed; those that a new animal came with are not listed."""

        definition = """
        -> master
        change_number : int32
        ---
        changed_animal : varchar(36)  # animal_id
        changed_datasource : int32
        changed_field : varchar(140)  # column, genotype and gene as in genotype:Cre, or gone
        value_before=null : varchar(4096)
        value_after=null : varchar(4096)
        """

    class Problem(dj.Part):
        """Rows of the source that were skipped, of the newest comparison only."""

        definition = """
        -> master
        problem_number : int32
        ---
        problem_row : varchar(64)  # as the source counts
        problem_animal : varchar(255)  # its identifier, if it has one
        problem_what : varchar(255)
        problem_found : varchar(1024)
        problem_allowed : varchar(1024)
        """
