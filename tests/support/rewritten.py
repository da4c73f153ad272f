"""The content of a bundle that gapship built, in the hands of the independent writer, which can sign it in any way, or make a head for it
that gapship would not."""
import bundle
from product import Product


def writer(w, epoch=0, **options):
    """A bundle.Writer of a complete small bundle; options: those of bundle.Writer."""
    product = Product(w, folder=f'rewritten-{epoch}')
    product.release['metadata']['epoch'] = epoch
    product.save()
    product.build()
    with bundle.Reader(product.bundle, allow_unsigned=True) as reader:
        predicate = reader.predicate
        contents = [reader.read(member) for member in reader.members]
    fields = {name: predicate[name] for name in ('product', 'version', 'epoch', 'sequence', 'securityFloor', 'issuedAt')}
    return bundle.Writer(fields, contents[1], contents[2], contents[3:], **options)
